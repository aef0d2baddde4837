"""What a project is: values and rules. Knows neither Qt nor TensorFlow."""
