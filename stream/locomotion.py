"""Where the athlete was and how fast: distance, speed on a 10 Hz grid, sprints, accelerations, heading.

Distance of a second is, in this order: the device's own cumulative distance, the integral of its measured
speed, the length of the path between adjoining fixes. Gaps are never bridged by a path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stream.chain import Chain, chain, fields, mean_per_row, summed
from stream.clock import SECOND_US
from stream.metabolic import metabolic_power
from stream.records import CHANNELS
from stream.slots import Field
from stream.window import Seconds, Table, empty

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

EARTH_M: Final = 6_371_008.8  # mean radius
CELLS: Final = 10  # of a second
WINDOW: Final = 5  # cells: speed is smoothed over, and acceleration taken over, half a second
HSR: Final = 5.5  # m/s
SPRINT: Final = 7.0  # m/s; entered after 2 cells above, left below 90 % of it, counted after 1.0 s
SPRINT_LEAVE: Final = 0.9 * SPRINT
ACCELERATION: Final = 3.0  # m/s², for 5 cells
HMLD_ACCELERATION: Final = 2.0  # m/s²
HEADING_ABOVE: Final = 1.0  # m/s
#: A speed from cumulative distance alone needs its two readings this close, µs.
CUMULATIVE_US: Final = 10 * SECOND_US
CUMULATIVE_RULES_S: Final = 60

X, Y, LAT, LON, SPEED, ALTITUDE, DISTANCE = range(len(CHANNELS["position"]))

FIELDS: Final = (
    *fields("plane", 2),
    *fields("globe", 2),
    *fields("cumulative", 1),
    Field("otherwise_m", "f8"),  # counted by other sources since the newest cumulative distance
    Field("speed_cells", "f8", (CELLS,), blank=np.nan),  # the second before, m/s
    Field("speed_s", "i8", blank=-1),  # which second that was
    Field("speed_mean", "f8", blank=np.nan),
    Field("heading", "f8", blank=np.nan),
    Field("altitude", "f8", blank=np.nan),
    Field("sprint_cells", "i8"),  # cells since a sprint was entered
    Field("above_cells", "i8"),
    Field("accelerating_cells", "i8"),
    Field("decelerating_cells", "i8"),
)


@dataclass(frozen=True, slots=True)
class Motion:
    """Per second (R,): what position samples alone say, before anything that needs the second before."""

    distance: Floats  # m
    speed: Floats  # m/s, mean; NaN unknown
    altitude: Floats  # m, mean
    place: Floats  # (R, 4) last x, y, lat, lon
    dx: Floats  # m, net displacement over adjoining steps
    dy: Floats
    cells: Floats  # (R, 10) m/s
    coarse: NDArray[np.bool_]  # fixes further apart than half a second


def measure_motion(seconds: Seconds, state: Any) -> Motion:
    """Distance, speed and displacement of each closed second."""
    rows = len(seconds)
    row, table = seconds.samples.get("position", (np.zeros(0, dtype=np.int64), empty("position")))
    path = _path(state, row, table, rows)
    device = _cumulative(state, row, table, seconds)
    measured = mean_per_row(row, table.values[:, SPEED], rows)
    covered = summed(row, ~np.isnan(table.values[:, SPEED]) * table.step_us / SECOND_US, rows)
    distance = np.where(np.isnan(measured), path.length, measured * np.minimum(covered, 1.0))
    speed = np.where(np.isnan(measured), path.speed, measured)
    place = np.full((rows, 4), np.nan)
    place[row] = table.values[:, [X, Y, LAT, LON]]  # sorted by stamp: the last one stays
    sample_speed = table.values[:, SPEED].copy()
    lacking = np.isnan(sample_speed)
    sample_speed[lacking] = path.sample_speed[lacking]
    step_s = mean_per_row(row, table.step_us / SECOND_US, rows)
    return Motion(
        distance=_counted_once(state, seconds, device, distance),
        speed=np.where(np.isnan(speed), device.speed, speed),
        altitude=mean_per_row(row, table.values[:, ALTITUDE], rows),
        place=place,
        dx=path.dx,
        dy=path.dy,
        cells=_cells(seconds, row, table, sample_speed),
        coarse=~(step_s <= 0.5),
    )


@dataclass(frozen=True, slots=True)
class _Path:
    length: Floats
    speed: Floats
    dx: Floats
    dy: Floats
    sample_speed: Floats  # per sample


def _path(state: Any, row: Ints, table: Table, rows: int) -> _Path:
    """Path of adjoining fixes, in pitch coordinates where there are any, else over latitude and longitude."""
    step_x, step_y, dt_s = (np.full(len(table), np.nan) for _ in range(3))
    for name, columns in (("globe", [LAT, LON]), ("plane", [X, Y])):
        there = np.asarray(np.isfinite(table.values[:, columns]).all(axis=1))
        fixes = table.take(there)
        fixes = Table(fixes.slot, fixes.device, fixes.t_us, fixes.step_us, fixes.values[:, columns])
        chained = chain(name, state, row[there], fixes)
        dx, dy = _displacement(name, chained)
        ok = chained.adjoining
        where = np.flatnonzero(there)[ok]
        step_x[where], step_y[where], dt_s[where] = dx[ok], dy[ok], chained.dt_us[ok] / SECOND_US
    length = np.hypot(step_x, step_y)
    known = summed(row, dt_s, rows)
    total = summed(row, length, rows)
    return _Path(
        length=total,
        speed=np.where(known > 0, total / np.where(known > 0, known, 1), np.nan),
        dx=summed(row, step_x, rows),
        dy=summed(row, step_y, rows),
        sample_speed=length / dt_s,
    )


def _displacement(name: str, chained: Chain) -> tuple[Floats, Floats]:
    """East and north (or x and y) of each step in m; the globe by the equirectangular formula, step by step."""
    change = chained.values - chained.before
    if name == "plane":
        return change[:, 0], change[:, 1]
    middle = np.radians((chained.values[:, 0] + chained.before[:, 0]) / 2)
    east = np.radians((change[:, 1] + 180) % 360 - 180) * np.cos(middle) * EARTH_M
    return east, np.radians(change[:, 0]) * EARTH_M


@dataclass(frozen=True, slots=True)
class _Cumulative:
    """Per second: increment of the device's cumulative distance (m), the speed it implies, whether it was read."""

    increment: Floats
    speed: Floats
    read: NDArray[np.bool_]


def _cumulative(state: Any, row: Ints, table: Table, seconds: Seconds) -> _Cumulative:
    """What the device's own cumulative distance says.

    Once a device sends it, it alone counts (0 between readings), until it is silent for a minute: NaN then.
    """
    rows = len(seconds)
    there = np.asarray(np.isfinite(table.values[:, DISTANCE]))
    readings = table.take(there)
    readings = Table(
        readings.slot, readings.device, readings.t_us, readings.step_us, readings.values[:, [DISTANCE]]
    )
    newest_s = state["cumulative_t"][seconds.slot] // SECOND_US
    chained = chain("cumulative", state, row[there], readings)
    gain = np.maximum(chained.values[:, 0] - chained.before[:, 0], 0.0)  # a reset counts as nothing
    read = np.bincount(chained.row, minlength=rows) > 0
    newest_s = _newest(seconds, np.where(read, seconds.second, np.where(newest_s >= 0, newest_s, 0)))
    rules = seconds.second - newest_s <= CUMULATIVE_RULES_S
    near = (chained.dt_us > 0) & (chained.dt_us <= CUMULATIVE_US)
    speed = np.where(near, gain / np.where(near, chained.dt_us / SECOND_US, 1), np.nan)
    increment = summed(chained.row, gain, rows)
    return _Cumulative(np.where(rules, increment, np.nan), mean_per_row(chained.row, speed, rows), read)


def _counted_once(state: Any, seconds: Seconds, device: _Cumulative, otherwise: Floats) -> Floats:
    """The device's own distance, else ``otherwise`` (m): a reading after a pause also covers what that counted."""
    distance = np.where(np.isnan(device.increment), otherwise, device.increment)
    if not (state["cumulative_t"][seconds.slot] >= 0).any():
        return distance
    for rows in seconds.waves():
        slot, read = seconds.slot[rows], device.read[rows]
        counted = state["otherwise_m"][slot]
        distance[rows] = np.where(read, np.maximum(distance[rows] - counted, 0.0), distance[rows])
        more = np.where(np.isnan(device.increment[rows]), np.nan_to_num(otherwise[rows]), 0.0)
        state["otherwise_m"][slot] = np.where(read, 0.0, counted + more)
    return distance


def _newest(seconds: Seconds, mark: Ints) -> Ints:
    """Running maximum of ``mark (R,)`` (seconds) within each slot's rows."""
    lift = np.cumsum(seconds.wave == 0) << 36
    return np.asarray(np.maximum.accumulate(mark + lift) - lift)


def _cells(seconds: Seconds, row: Ints, table: Table, speed: Floats) -> Floats:
    """Mean speed in each tenth of a second, (R, 10); a sample of a slower source holds until the next."""
    inside = (table.t_us - seconds.second[row] * SECOND_US) * CELLS // SECOND_US
    cells = mean_per_row(row * CELLS + inside, speed, len(seconds) * CELLS).reshape(-1, CELLS)
    hold = np.zeros(len(seconds), dtype=np.int64)
    np.maximum.at(hold, row, np.ceil(table.step_us / (SECOND_US / CELLS)).astype(np.int64))
    return _hold(cells, np.minimum(hold, CELLS))


def _hold(cells: Floats, hold: Ints) -> Floats:
    """Fill empty cells forward within the second for as long as a sample stands."""
    age = np.zeros(len(cells), dtype=np.int64)
    value = np.full(len(cells), np.nan)
    for k in range(cells.shape[1]):
        there = ~np.isnan(cells[:, k])
        age = np.where(there, 0, age + 1)
        value = np.where(there, cells[:, k], value)
        cells[:, k] = np.where(age < hold, value, np.nan)
    return cells


@dataclass(frozen=True, slots=True)
class Gait:
    """Per second (n,) of one wave: what needs the second before."""

    acceleration: Floats  # m/s², of the mean speed
    yaw_rate: Floats  # deg/s
    climb: Floats  # m/s
    metabolic: Floats  # W/kg
    fast_share: Floats  # of the second above HSR
    sprint_share: Floats
    demanding_share: Floats  # above HSR or HMLD_ACCELERATION
    sprints: Ints  # counted in this second
    accelerations: Ints
    decelerations: Ints


def follow_motion(state: Any, slot: Ints, second: Ints, of: tuple[Motion, Ints]) -> Gait:
    """Metrics of one wave (``of``: all motion and the wave's rows) that look back; brings their state forward."""
    motion, rows = of
    follows = state["speed_s"][slot] == second - 1
    speed, cells = motion.speed[rows], motion.cells[rows]
    before = np.where(follows[:, None], state["speed_cells"][slot], np.nan)
    acceleration = np.where(follows, speed - state["speed_mean"][slot], np.nan)
    smooth, change = _smooth(np.concatenate([before, cells], axis=1))
    coarse = motion.coarse[rows]
    for name in ("sprint_cells", "above_cells", "accelerating_cells", "decelerating_cells"):
        state[name][slot[~follows]] = 0
    change = np.where(coarse[:, None], acceleration[:, None], change)
    smooth = np.where(coarse[:, None], cells, smooth)
    power = metabolic_power(smooth, np.nan_to_num(change))
    state["speed_cells"][slot], state["speed_s"][slot], state["speed_mean"][slot] = cells, second, speed
    return Gait(
        acceleration=acceleration,
        yaw_rate=_turn(state, slot, motion, rows, follows),
        climb=_climb(state, slot, motion.altitude[rows], follows),
        metabolic=_mean(power),
        fast_share=_mean((smooth > HSR).astype(np.float64)),
        sprint_share=_mean((smooth > SPRINT).astype(np.float64)),
        demanding_share=_mean(((smooth > HSR) | (np.abs(change) >= HMLD_ACCELERATION)).astype(np.float64)),
        sprints=_sprints(state, slot, smooth),
        accelerations=_runs(state, slot, "accelerating_cells", change > ACCELERATION),
        decelerations=_runs(state, slot, "decelerating_cells", change < -ACCELERATION),
    )


def _mean(cells: Floats) -> Floats:
    there = ~np.isnan(cells)
    count = there.sum(axis=1)
    return np.where(count > 0, np.where(there, cells, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _smooth(twenty: Floats) -> tuple[Floats, Floats]:
    """From cells of this second and the one before: smoothed speed and its change (m/s²), (n, 10) each."""
    windows = np.lib.stride_tricks.sliding_window_view(twenty, WINDOW, axis=1)
    there = ~np.isnan(windows)
    count = there.sum(axis=-1)
    total = np.where(there, windows, 0).sum(axis=-1)
    smooth = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    change = (smooth[:, WINDOW:] - smooth[:, :-WINDOW]) / (WINDOW / CELLS)
    lacking = np.isnan(twenty[:, CELLS:])
    now = np.where(lacking, np.nan, smooth[:, -CELLS:])
    return now, np.where(lacking, np.nan, change[:, -CELLS:])


def _turn(state: Any, slot: Ints, motion: Motion, rows: Ints, follows: NDArray[np.bool_]) -> Floats:
    """Yaw rate in deg/s: change of the direction of displacement between two seconds above 1 m/s."""
    dx, dy = motion.dx[rows], motion.dy[rows]
    moving = np.hypot(dx, dy) > HEADING_ABOVE
    heading = np.where(moving, np.degrees(np.arctan2(dy, dx)), np.nan)
    turn = (heading - state["heading"][slot] + 180) % 360 - 180
    state["heading"][slot] = heading
    return np.where(follows, turn, np.nan)


def _climb(state: Any, slot: Ints, altitude: Floats, follows: NDArray[np.bool_]) -> Floats:
    climb = altitude - state["altitude"][slot]
    state["altitude"][slot] = altitude
    return np.where(follows, climb, np.nan)


def _sprints(state: Any, slot: Ints, speed: Floats) -> Ints:
    """Sprints that reach a second in length within this one."""
    above, lasting = state["above_cells"][slot], state["sprint_cells"][slot]
    counted = np.zeros(len(slot), dtype=np.int64)
    for k in range(CELLS):  # ten steps whatever the number of athletes
        above = np.where(speed[:, k] > SPRINT, above + 1, 0)
        stays = speed[:, k] >= SPRINT_LEAVE
        lasting = np.where(stays & ((lasting > 0) | (above >= 2)), np.maximum(lasting + 1, above), 0)
        counted += lasting == CELLS
    state["above_cells"][slot], state["sprint_cells"][slot] = above, lasting
    return counted


def _runs(state: Any, slot: Ints, name: str, beyond: NDArray[np.bool_]) -> Ints:
    """How often the condition reaches half a second without a break."""
    length = state[name][slot]
    counted = np.zeros(len(slot), dtype=np.int64)
    for k in range(CELLS):
        length = np.where(beyond[:, k], length + 1, 0)
        counted += length == WINDOW
    state[name][slot] = length
    return counted
