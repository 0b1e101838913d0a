import tensorflow as tf

loaded = tf.saved_model.load("1")


def load(name):
    """A graph as a function: arrays by name -> arrays by name."""
    function = loaded.signatures[{"model": "serve", "encoder": "encode"}.get(name, name)]

    def run(**inputs):
        results = function(**{key: tf.constant(array) for key, array in inputs.items()})
        return {key: result.numpy() for key, result in results.items()}

    return run
