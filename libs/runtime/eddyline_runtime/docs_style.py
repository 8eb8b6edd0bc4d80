"""How ``/docs`` looks, by day and by night, on a wide screen and on a phone."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2127;--soft:#5b6570;--line:#dfe3e8;--tint:#f4f6f8;--link:#0b5cad;
--get:#0b6b3a;--post:#8a4b00;--no:#a3222b}
@media(prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e4e7ea;--soft:#9aa4ae;--line:#2c333a;--tint:#1d2228;
--link:#7ab7f5;--get:#5fcf94;--post:#f0b35a;--no:#f2868d}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0 auto;max-width:58rem;padding:1.5rem 1.25rem 6rem;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
a{color:var(--link);text-decoration:none}
a:hover{text-decoration:underline}
h1{font-size:1.75rem;line-height:1.2;margin:.5rem 0 1rem}
h1 small{font-size:.9rem;font-weight:400;color:var(--soft)}
h2{font-size:1.15rem;margin:2.5rem 0 .5rem;text-transform:capitalize}
nav h2{font-size:.95rem;margin:1rem 0 .25rem}
h3{font-size:1.05rem;margin:0 0 .5rem}
h4{font-size:.8rem;letter-spacing:.04em;text-transform:uppercase;color:var(--soft);margin:1.25rem 0 .4rem}
p{margin:.4rem 0}
.about,nav li{color:var(--soft)}
nav{border:1px solid var(--line);border-radius:8px;padding:.25rem 1.25rem 1rem;margin:1.5rem 0}
nav ul{list-style:none;margin:0;padding:0}
nav li{margin:.15rem 0}
ul{padding-left:1.25rem;margin:.4rem 0}
article{border-top:1px solid var(--line);padding:1.25rem 0 .75rem}
.summary{font-weight:600}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.call b{display:inline-block;min-width:2.75rem}
.get{color:var(--get)}.post,.put{color:var(--post)}.ok{color:var(--get)}.no{color:var(--no)}
pre{background:var(--tint);border:1px solid var(--line);border-radius:6px;padding:.7rem .9rem;margin:.4rem 0;
overflow-x:auto;overflow-wrap:normal;max-height:32rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
td{border-top:1px solid var(--line);padding:.45rem .75rem .45rem 0;vertical-align:top}
td:first-child{width:28%;white-space:normal}
td small{display:block;color:var(--soft)}
td p{margin:.15rem 0 0}
.kind{color:var(--soft);font-size:.9rem}
abbr{color:var(--no);text-decoration:none;margin-left:.15rem}
details{border-top:1px solid var(--line);padding:.45rem 0}
summary{cursor:pointer}
summary b{display:inline-block;min-width:2.5rem}
:target{scroll-margin-top:1rem}
article:target h3{background:var(--tint);border-radius:4px}
@media(max-width:36rem){td{display:block;border:0;padding:.1rem 0}
td:first-child{width:auto;border-top:1px solid var(--line);padding-top:.5rem}}
""".replace("\n", "")
