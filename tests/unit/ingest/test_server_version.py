from __future__ import annotations

import pytest

from eddyline_ingest.log_writer.streams import UnusableInbox, check_server


def test_an_old_nats_server_is_refused_with_the_version_that_is_needed() -> None:
    check_server((2, 14))
    check_server((3, 0))
    with pytest.raises(UnusableInbox, match=r"2\.11 is too old .* upgrade it to 2\.14 or newer"):
        check_server((2, 11))
