"""How fast the parts are, each as a ratio to a floor measured in the same run (`./run bench`)."""
