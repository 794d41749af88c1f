// How long to wait before connecting again. Pure: chance is a parameter.

const FIRST_MS = 500;
const MOST_MS = 8_000;

/** Doubles from half a second to eight; spread by half, so that a hundred tablets do not come back at once. */
export function waitMs(failures: number, chance: number): number {
  const full = Math.min(MOST_MS, FIRST_MS * 2 ** failures);
  return full * (0.5 + chance / 2);
}
