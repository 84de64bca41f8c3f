//! Prints tokens per second of Alder's encoder back ends for the comparison with ONNX Runtime: one thread,
//! thread CPU time, median of 5. Called by `benches/compare/encode.py` with a JSON file `{shape: [[[id]]]}`.
