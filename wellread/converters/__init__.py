"""From a source to forms, with proof. The only home of onnx, torch and tensorflow."""
