// Builds the pages into the Python package, which serves them: the coach's, and the model service's description. No inline script: the server's policy forbids it.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../stream/web/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 2000, // Swagger UI is one file
    rolldownOptions: { input: ["index.html", "docs.html"] },
  },
});
