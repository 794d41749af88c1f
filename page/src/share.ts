// A login link for another screen, shown so that it can be copied or typed.

import { loginLink } from "./api.ts";
import { make } from "./dom.ts";

export function offerLinks(button: HTMLButtonElement): void {
  button.addEventListener("click", () => void show());
}

async function show(): Promise<void> {
  const field = make("input", { type: "text", readonly: "", "aria-label": "Login link", value: "…" });
  const close = make("button", { type: "button" }, "Done");
  const words = make("p", {}, "Open this link on the other screen. It works once.");
  const dialog = make("dialog", { class: "share" }, words, field, close);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  try {
    field.value = await loginLink();
    field.select();
  } catch (error) {
    words.textContent = `No link: ${String(error)}`;
  }
}
