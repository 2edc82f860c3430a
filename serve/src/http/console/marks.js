// What stands for a class on the map: a colour and a shape, so that nobody has to tell them by the colour alone.

import { drawing } from "./page.js";

// In a box from -1 to 1.
const SHAPES = ["M-1 0A1 1 0 1 0 1 0A1 1 0 1 0 -1 0Z", "M-.9 -.9H.9V.9H-.9Z", "M0 -1.2L1.1 .8H-1.1Z", "M0 -1.3L1.3 0L0 1.3L-1.3 0Z"];
const RADIUS = 3.5;

const dark = matchMedia("(prefers-color-scheme: dark)");
export const onTheme = (redraw) => dark.addEventListener("change", redraw);
export const ink = () => (dark.matches ? "#e4e7ec" : "#1b1f24");
export const paper = () => (dark.matches ? "#14161a" : "#f6f7f9");

// The mark of class `index` of `count`; what has no class is grey.
export function mark(index, count) {
  if (index < 0) return { colour: dark.matches ? "#98a2b0" : "#5a6472", shape: SHAPES[0] };
  const light = (dark.matches ? 62 : 44) + (index % 2) * 10;
  return { colour: `hsl(${Math.round((index * 360) / count)} 70% ${light}%)`, shape: SHAPES[index % SHAPES.length] };
}

// The mark as a small picture, which is drawn much faster than the shape.
export function stamp({ colour, shape }, ratio) {
  const side = Math.ceil(2 * (RADIUS + 2) * ratio);
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const context = canvas.getContext("2d");
  context.setTransform(RADIUS * ratio, 0, 0, RADIUS * ratio, side / 2, side / 2);
  context.fillStyle = colour;
  context.fill(new Path2D(shape));
  context.strokeStyle = paper();
  context.lineWidth = 0.25;
  context.stroke(new Path2D(shape));
  return canvas;
}

export const symbol = ({ colour, shape }) => drawing("svg", { viewBox: "-1.5 -1.5 3 3", "aria-hidden": "true" }, drawing("path", { d: shape, fill: colour }));
