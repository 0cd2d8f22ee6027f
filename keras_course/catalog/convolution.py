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
        sources=("C 8.1.8", "S 9.2"), members=(
            "keras_course.layers.pooling:AveragePooling", "keras_course.layers.pooling:GlobalMaxPooling",
        ),
    ),
    Entry(
        "lenet", "LeNet-5 for handwritten digits", shape="model",
        object="keras_course.models.vision.lenet:LeNet", init={"input_shape": (8, 8, 1), "classes": 10},
        inputs=(2, 8, 8, 1), recipe="keras_course.recipes.vision:lenet", sources=("S 9.2", "R"),
    ),
    Entry(
        "resnet", "Residual networks: ResNet-18 to -152, and the form for small images", shape="model",
        object="keras_course.models.vision.resnet:ResNet",
        init={"input_shape": (6, 6, 2), "classes": 2, "depth": 8, "form": "cifar", "width": 0.125,
              "normalization": {"synchronized": True}},
        inputs=(2, 6, 6, 2), recipe="keras_course.recipes.deep_vision:resnet", sources=("R",),
        members=(
            "keras_course.layers.residual_block:ResidualBlock", "keras_course.layers.residual_block:BottleneckBlock",
        ),
    ),
    Entry(
        "densenet", "Densely connected networks: DenseNet-121, -169, -201, -161", shape="model",
        object="keras_course.models.vision.densenet:DenseNet",
        init={"input_shape": (6, 6, 2), "classes": 2, "depth": None, "blocks": (1, 1), "growth_rate": 2,
              "small_stem": True, "normalization": {"synchronized": True}},
        inputs=(2, 6, 6, 2), recipe="keras_course.recipes.deep_vision:densenet", sources=("R",),
        members=("keras_course.layers.dense_block:DenseBlock", "keras_course.layers.dense_block:TransitionLayer"),
    ),
)  # fmt: skip
