// Where the time axis is marked, counted back from its end. Pure.

const STEPS_S = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];

/** Times (s) of the marks, from the end back in equal steps, at most `most` of them besides the end. */
export function marks(startS: number, endS: number, most: number): number[] {
  const span = endS - startS;
  const step = STEPS_S.find((candidate) => span / candidate <= most) ?? 28_800;
  const found: number[] = [];
  for (let back = Math.floor(span / step); back >= 0; back--) found.push(endS - back * step);
  return found;
}

/** `−4 min`; the end has a word of its own. */
export function markText(atS: number, endS: number, endWord: string): string {
  const back = Math.round(endS - atS);
  if (back < 1) return endWord;
  const [minutes, seconds] = [Math.floor(back / 60), back % 60];
  return seconds ? `−${minutes}:${String(seconds).padStart(2, "0")} min` : `−${minutes} min`;
}
