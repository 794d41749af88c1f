"""The model service: networks behind REST, in the shapes of TensorFlow Serving and the Open Inference Protocol."""
