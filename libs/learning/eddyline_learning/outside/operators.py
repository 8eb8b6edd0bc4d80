"""The operators that a model from outside may be made of.

Arithmetic on tensors, layers of networks, trees and linear models. Left out on purpose: control flow and whatever else
holds a graph (what they do cannot be seen beforehand), random numbers, text, sequences and optional values,
operators of other vendors, which not every ranker has, and those that make a tensor as large as a number says: a
single row could ask for all of the machine's memory, long after the trial.
"""

from __future__ import annotations

DEFAULT, ML = "", "ai.onnx.ml"

_ARITHMETIC = """
Abs Add Ceil Clip CumSum Div Einsum Erf Exp Floor Gemm Log MatMul Max Mean Min Mod Mul Neg Pow Reciprocal Round Sign
Sqrt Sub Sum Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh Asinh Acosh Atanh
"""
_CHOICES = """
And Or Not Xor Equal Greater GreaterOrEqual Less LessOrEqual IsNaN IsInf Where ArgMax ArgMin TopK NonZero Compress
"""
_ACTIVATIONS = """
Celu Elu Gelu HardSigmoid HardSwish Hardmax LeakyRelu LogSoftmax Mish PRelu Relu Selu Shrink Sigmoid Softmax Softplus
Softsign Swish ThresholdedRelu
"""
_NORMALISATION = """
BatchNormalization GroupNormalization InstanceNormalization LayerNormalization LpNormalization
MeanVarianceNormalization RMSNormalization
"""
_REDUCTIONS = """
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
"""
_LAYERS = """
AveragePool Conv GlobalAveragePool GlobalMaxPool MaxPool GRU LSTM RNN Attention QuantizeLinear DequantizeLinear
DynamicQuantizeLinear MatMulInteger QLinearMatMul
"""
_SHAPES = """
Cast CastLike Concat Constant Flatten Gather GatherElements GatherND Identity Reshape ScatterElements ScatterND Shape
Size Slice Split Squeeze Transpose Trilu Unsqueeze
"""
_ML = """
ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LinearRegressor Normalizer Scaler SVMRegressor TreeEnsemble
TreeEnsembleRegressor
"""

ALLOWED = {
    DEFAULT: frozenset(
        " ".join((_ARITHMETIC, _CHOICES, _ACTIVATIONS, _NORMALISATION, _REDUCTIONS, _LAYERS, _SHAPES)).split()
    ),
    ML: frozenset(_ML.split()),
}
"""Operators by domain."""

_SIZED = "its result is as large as a number says; let the sizes of other tensors decide, as in `x * ones`"

REMEDIES = {
    **dict.fromkeys(("ConstantOfShape", "Expand", "EyeLike", "OneHot", "Pad", "Range", "Tile"), _SIZED),
    "Dropout": "export the model as it is used, not as it is trained (in PyTorch: `model.eval()` first)",
    "If": "export it without branches on data",
    "Loop": "export it without loops, or with them unrolled",
    "Scan": "export it without loops, or with them unrolled",
    "TreeEnsembleClassifier": "export a regressor, or only the score before classes are chosen",
    "LinearClassifier": "export a regressor, or only the score before classes are chosen",
    "SVMClassifier": "export a regressor, or only the score before classes are chosen",
    "ZipMap": "export only the score (skl2onnx: `options={'zipmap': False}`, and one output)",
}
"""What to do about operators that exporters are known to write."""
