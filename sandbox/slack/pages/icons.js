// The few line icons of the page, drawn so that no emoji font is needed.
const PATHS = {
  plus: "M10 4v12M4 10h12",
  send: "M3 4l14 6-14 6 3-6zM6 10h11",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  reply: "M4 5h12v8H9l-4 3v-3H4z",
  trash: "M5 6h10M8 6V4h4v2M6 6l1 11h6l1-11",
  close: "M5 5l10 10M15 5L5 15",
  eye: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM10 8a2 2 0 1 0 .01 0",
};

export function icon(name, px = 16) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = { viewBox: "0 0 20 20", width: px, height: px, fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
