// The server's JSON answers. Relative addresses only.

import type { Series } from "./trail.ts";

/** The server wants a session and there is none. */
export class NoSession extends Error {}

async function ask<T>(path: string, method = "GET"): Promise<T> {
  const answer = await fetch(path, { method, cache: "no-store", credentials: "same-origin" });
  if (answer.status === 401) throw new NoSession();
  const body: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(detail(body) ?? `${answer.status} ${answer.statusText}`);
  return body as T;
}

function detail(body: unknown): string | null {
  const found = (body as { detail?: unknown } | null)?.detail;
  return typeof found === "string" ? found : null;
}

export async function hasSession(): Promise<boolean> {
  try {
    await ask("/api/session");
    return true;
  } catch (error) {
    if (error instanceof NoSession) return false;
    throw error;
  }
}

/** From the server's memory: second by second, ten minutes at most. */
export function recent(athlete: string, minutes: number): Promise<Series> {
  return ask(`/api/athletes/${encodeURIComponent(athlete)}/recent?minutes=${minutes}`);
}

/** From the store: thinned. */
export function history(athlete: string, minutes: number, fields: readonly string[]): Promise<Series> {
  const query = new URLSearchParams({ minutes: String(minutes), fields: fields.join(",") });
  return ask(`/api/athletes/${encodeURIComponent(athlete)}/history?${query}`);
}

export async function loginLink(): Promise<string> {
  const { path } = await ask<{ path: string }>("/api/login-link", "POST");
  return new URL(path, location.href).href;
}
