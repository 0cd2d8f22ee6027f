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
        datasets={
            "digits": "keras_course.recipes.vision:lenet",
            "mnist": "keras_course.recipes.vision:lenet_on_mnist",
            "fashion-mnist": "keras_course.recipes.vision:lenet_on_fashion_mnist",
        },
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
        members=(
            "keras_course.models.vision.keras_weights:from_keras_application",
            "keras_course.models.vision.keras_weights:to_keras_application",
        ),
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
    Entry(
        "fully-convolutional", "FCN: a class for each pixel, any image size", shape="model",
        object="keras_course.models.vision.fcn:FCN",
        init={"input_shape": (None, None, 1), "classes": 2, "trunk": (3, 4)}, inputs=(2, 5, 6, 1),
        recipe="keras_course.recipes.segmentation:fully_convolutional", sources=("C 8.1.5", "C 8.1.12"),
        members=(
            "keras_course.layers.transposed_convolution:TransposedConvolution2D",
            "keras_course.initializers.bilinear:Bilinear",
            "keras_course.models.vision.convolutional_trunk:ConvolutionalTrunk",
            "keras_course.models.vision.dense_evaluation:convolutionalize",
            "keras_course.metrics.mean_iou:MeanIoU", "keras_course.ops.detection:intersection_over_union",
            "keras_course.ops.transposed_convolution:transposed_maps",
        ),
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
