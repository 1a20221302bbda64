// expect: this folder is not a layer
