"""Rows of the chapter on convolutional networks."""

from keras_course.catalog.entry import Entry

ROWS = (
    Entry(
        "convolution", "Convolution and cross-correlation", shape="block",
        object="keras_course.layers.convolution:Convolution2D", init={"filters": 4, "kernel_size": 3},
        inputs=(2, 8, 8, 3), sources=("N", "C 8.1"),
        members=(
            "keras_course.layers.convolution:Convolution1D", "keras_course.layers.convolution:Convolution3D",
            "keras_course.ops.convolution:convolve", "keras_course.ops.convolution:cross_correlate",
            "keras_course.ops.receptive_field:receptive_field",
        ),
    ),
    Entry(
        "unshared-convolution", "Locally connected layers", shape="block",
        object="keras_course.layers.locally_connected:LocallyConnected2D", init={"filters": 3, "kernel_size": 2},
        inputs=(2, 5, 4, 2), sources=("C 8.1.11",),
        members=(
            "keras_course.layers.locally_connected:LocallyConnected1D",
            "keras_course.ops.unshared_convolution:unshared_convolution",
        ),
    ),
    Entry(
        "pooling", "Max and average pooling", shape="block",
        object="keras_course.layers.pooling:MaxPooling", init={"pool_size": 2}, inputs=(2, 8, 8, 3),
        sources=("C 8.1.8", "S 9.2"), members=("keras_course.layers.pooling:AveragePooling",),
    ),
    Entry(
        "lenet", "LeNet-5 for handwritten digits", shape="model",
        object="keras_course.models.vision.lenet:LeNet", init={"input_shape": (8, 8, 1), "classes": 10},
        inputs=(2, 8, 8, 1), recipe="keras_course.recipes.vision:lenet", sources=("S 9.2", "R"),
    ),
    Entry(
        "local-response-normalization", "Local response normalization", shape="block",
        object="keras_course.layers.local_response_normalization:LocalResponseNormalization",
        init={"size": 3, "bias": 1.0, "alpha": 0.5}, inputs=(2, 3, 3, 4), sources=("S 9.2",),
        members=("keras_course.ops.local_response:local_response_normalization",),
    ),
    Entry(
        "alexnet", "AlexNet, in one tower or two", shape="model",
        object="keras_course.models.vision.alexnet:AlexNet",
        init={"input_shape": (67, 67, 1), "classes": 2, "width": 0.02}, inputs=(2, 67, 67, 1),
        recipe="keras_course.recipes.classifiers:alexnet", sources=("R", "S 9.2"),
    ),
    Entry(
        "vgg", "VGG A, A-LRN, B, C, D, E", shape="model",
        object="keras_course.models.vision.vgg:VGG",
        init={"configuration": "A-LRN", "input_shape": (32, 32, 1), "classes": 2, "width": 0.04}, inputs=(2, 32, 32, 1),
        recipe="keras_course.recipes.classifiers:vgg", sources=("S 9.2", "R"),
    ),
    Entry(
        "inception", "Inception module, naive or with dimension reductions", shape="block",
        object="keras_course.layers.inception:InceptionModule",
        init={"filters": (2, 3, 2), "reductions": (2, 2, 1), "activation": "tanh", "seed": 1}, inputs=(2, 4, 5, 3),
        sources=("S 9.2", "R"),
    ),
    Entry(
        "googlenet", "GoogLeNet with auxiliary classifiers in training", shape="model",
        object="keras_course.models.vision.googlenet:GoogLeNet",
        init={"input_shape": (20, 20, 1), "classes": 2, "width": 0.02, "modules": ("4a", "5a")},
        inputs=(2, 20, 20, 1),
        recipe="keras_course.recipes.classifiers:googlenet", sources=("R", "S 9.2"),
    ),
)  # fmt: skip
