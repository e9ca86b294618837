"""Losses between pictures that any method may use through its settings.

``vgg`` (a trained network's features), ``planes`` (which plane when), ``perceptual`` (the distance
of features), ``ssim`` (structure), ``image`` (their weighted sum); ``adversarial`` (the scores of
discriminators).
"""
