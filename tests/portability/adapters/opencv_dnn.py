"""The DNN module of OpenCV."""

import cv2


def version():
    return cv2.__version__


def load(path, work):
    net = cv2.dnn.readNetFromONNX(path)
    names = net.getUnconnectedOutLayersNames()

    def run(images):
        net.setInput(images)
        # The rows are copied: the network writes its next answer into the same memory.
        return {name: output.copy() for name, output in zip(names, net.forward(names))}

    return run
