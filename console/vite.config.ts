// How the console is built: static files in dist/, which the binary embeds.
//
// The server's policy allows no inline script, yet the theme must be known before the first
// paint. So `src/app/theme-boot.js` is emitted as a hashed, classic, render-blocking script.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

function themeBoot(): Plugin {
  const source = readFileSync(new URL("src/app/theme-boot.js", import.meta.url), "utf8");
  const name = `assets/theme-${createHash("sha256").update(source).digest("hex").slice(0, 8)}.js`;
  return {
    name: "theme-boot",
    configureServer(server) {
      server.middlewares.use(`/${name}`, (_request, response) => {
        response.setHeader("content-type", "text/javascript").end(source);
      });
    },
    generateBundle() {
      this.emitFile({ type: "asset", fileName: name, source });
    },
    transformIndexHtml: () => [{ tag: "script", attrs: { src: `/${name}` }, injectTo: "head-prepend" }],
  };
}

const server = process.env.FACTUM_URL ?? "http://127.0.0.1:8080";
const proxied = ["/api", "/events", "/health", "/metrics", "/openapi.json", "/docs"].concat(
  // The schema registry.
  ["/subjects", "/schemas", "/config", "/mode", "/contexts", "/compatibility"],
);

export default defineConfig({
  plugins: [react(), tailwind(), themeBoot()],
  resolve: { alias: { "~": fileURLToPath(new URL("src", import.meta.url)) } },
  build: { target: "es2022", assetsInlineLimit: 0, reportCompressedSize: true, modulePreload: { polyfill: false } },
  server: { proxy: Object.fromEntries(proxied.map((path) => [path, { target: server }])) },
  preview: { proxy: Object.fromEntries(proxied.map((path) => [path, { target: server }])) },
});
