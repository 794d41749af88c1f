// Builds the page into the Python package, which serves it. No inline script: the server's policy forbids it.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../stream/web/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
});
