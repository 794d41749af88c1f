"""The movement network gives exact numbers with constant weights, and its spectrogram is what the formula says."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from models import movement
from models.losses import HeadsLoss
from models.restore import answer, build, plain_config, set_weights, weights_of
from tests.models.builders import constant

SMALL = movement.MovementConfig(heads=(3, 2), image=2, signal=2, dropout=0.0)


def spectrogram(x: np.ndarray) -> np.ndarray:
    return np.asarray(movement.spectrogram(keras.ops.convert_to_tensor(x.astype(np.float32)), SMALL))


def test_a_sine_of_height_one_has_power_one_in_its_own_bin() -> None:
    wave = np.sin(2 * np.pi * 4 * np.arange(100) / 32)
    image = spectrogram(np.tile(wave[None, :, None], (1, 1, 6)))
    assert image.shape == (1, 18, 16, 6)
    np.testing.assert_allclose(np.exp(image[0, :, 3]), 1 + movement.FLOOR, rtol=1e-3)
    assert (image[0].argmax(axis=1) == 3).all()


def test_gravity_is_not_in_the_image() -> None:
    image = spectrogram(np.full((1, 100, 6), 5.0))
    np.testing.assert_allclose(image, np.log(movement.FLOOR), atol=1e-3)


def test_the_image_is_the_fourier_transform_of_windowed_frames() -> None:
    x = np.random.default_rng(0).normal(size=(1, 100, 6))
    x -= x[:, 8:40].mean(axis=1, keepdims=True)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(32) / 32)
    spectrum = np.fft.rfft(x[0, 8:40] * hann[:, None], axis=0)[2:] * 2 / hann.sum()
    expected = np.log(np.abs(spectrum) ** 2 + movement.FLOOR)
    np.testing.assert_allclose(spectrogram(x)[0, 2, 1:], expected, atol=1e-3)


def test_with_constant_weights_no_class_is_likelier_than_another() -> None:
    found = answer(constant(movement.build(SMALL), 0.05), [np.ones((2, 100, 6), np.float32)])
    np.testing.assert_allclose(found[0], np.full((2, 3), 1 / 3), atol=1e-6)
    np.testing.assert_allclose(found[1], np.full((2, 2), 1 / 2), atol=1e-6)


def test_a_head_with_constant_weights_but_one_gives_exact_numbers() -> None:
    model = constant(movement.build(SMALL), 0.05)
    weights = weights_of(model)
    weights["watch/kernel"] = np.zeros_like(weights["watch/kernel"])
    weights["watch/kernel"][-1, 0] = 1.0  # the last channel's greatest over time
    set_weights(model, weights)
    first = 0.05 * 9 * 6 + 0.05
    second = 0.05 * 7 * 2 * first + 0.05
    odds = np.exp([second, 0.0, 0.0])
    found = answer(model, [np.ones((1, 100, 6), np.float32)])[0]
    np.testing.assert_allclose(found[0], odds / odds.sum(), atol=1e-6)


def test_a_network_is_built_again_from_its_plain_config() -> None:
    model = build("movement", plain_config(SMALL))
    assert [tuple(output.shape) for output in model.outputs] == [(None, 3), (None, 2)]


def test_each_head_is_judged_on_its_own_rows_only() -> None:
    loss = HeadsLoss((1, 2))
    first = np.array([[0.5, 0.5], [0.0, 1.0], [0.0, 1.0]], np.float32)
    second = np.array([[0.0, 1.0], [0.25, 0.75], [0.25, 0.75]], np.float32)
    targets = [np.array([[1.0, 0.0]], np.float32), np.array([[1.0, 0.0], [1.0, 0.0]], np.float32)]
    assert float(loss(targets, [first, second])) == pytest.approx(-np.log(0.5) - np.log(0.25), abs=1e-5)
