// What part of a plane a canvas shows, and how it is moved: wheel, drag, two fingers, keys.

const LARGEST = 200;
const STEP = 1.5;
// Room around the whole, and how far a finger may slip and still tap.
const MARGIN = 24;
const SLIP = 6;

export class View {
  // `changed` is called when something else is to be seen, `pointed` with a place on the canvas when somebody points at it.
  constructor(canvas, changed, pointed) {
    Object.assign(this, { canvas, changed, pointed, fingers: new Map(), moved: 0 });
    Object.assign(this, { bounds: [[0, 0], [0, 0]], width: 0, height: 0, base: 1, zoom: 1, x: 0, y: 0 });
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event, true));
    canvas.addEventListener("pointercancel", (event) => this.up(event, false));
  }

  // Pixels of a step of 1 on the plane.
  get scale() {
    return this.base * this.zoom;
  }

  holds(point) {
    return this.bounds.every(([low, high], axis) => low <= point[axis] && point[axis] <= high);
  }

  // Shows all of these points.
  fit(points) {
    const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
    const range = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
    this.bounds = [range(xs), range(ys)];
    this.all();
  }

  all() {
    const [[left, right], [bottom, top]] = this.bounds;
    Object.assign(this, { zoom: 1, x: (left + right) / 2, y: (bottom + top) / 2 });
    this.show();
  }

  show() {
    // While everything is shown a finger moves the page, not the map.
    this.canvas.classList.toggle("zoomed", this.zoom > 1);
    this.changed();
  }

  // Takes the size of the canvas; says how many of its pixels are one of the page.
  measure() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [[left, right], [bottom, top]] = this.bounds;
    const spans = [(width - 2 * MARGIN) / (right - left), (height - 2 * MARGIN) / (top - bottom)];
    const base = Math.min(...spans.filter(Number.isFinite));
    Object.assign(this, { width, height, base: Number.isFinite(base) ? base : 1 });
    return window.devicePixelRatio || 1;
  }

  place([x, y]) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  // Zooms around a place of the canvas, which stays where it is.
  zoomBy(factor, [x, y] = [this.width / 2, this.height / 2]) {
    const zoom = Math.min(Math.max(this.zoom * factor, 1), LARGEST);
    if (zoom === 1) return this.all();
    const kept = 1 / this.scale - this.zoom / zoom / this.scale;
    this.x += (x - this.width / 2) * kept;
    this.y -= (y - this.height / 2) * kept;
    this.zoom = zoom;
    this.show();
  }

  moveBy(x, y) {
    if (this.zoom === 1) return;
    this.x -= x / this.scale;
    this.y += y / this.scale;
    this.show();
  }

  // Moves as little as brings a point into sight.
  reveal(point) {
    const [x, y] = this.place(point);
    const off = (at, size) => Math.min(Math.max(at, MARGIN), size - MARGIN) - at;
    this.moveBy(off(x, this.width), off(y, this.height));
  }

  // Says whether the key was one of the map's.
  key({ key, shiftKey }) {
    const arrows = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (key === "+" || key === "=") this.zoomBy(STEP);
    else if (key === "-") this.zoomBy(1 / STEP);
    else if (key === "0") this.all();
    else if (shiftKey && arrows[key]) this.moveBy(...arrows[key].map((part) => part * 60));
    else return false;
    return true;
  }

  // Once the map has the focus the wheel is its own; before that it moves the page.
  wheel(event) {
    if (!event.ctrlKey && document.activeElement !== this.canvas) return;
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY / 300), [event.offsetX, event.offsetY]);
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
    if (this.fingers.size === 1) this.moved = 0;
  }

  move(event) {
    const now = [event.offsetX, event.offsetY];
    const before = this.fingers.get(event.pointerId);
    if (!before) return event.pointerType === "mouse" && this.pointed(now);
    const [x, y] = [now[0] - before[0], now[1] - before[1]];
    this.moved += Math.hypot(x, y);
    this.fingers.set(event.pointerId, now);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (finger) => Math.hypot(finger[0] - other[0], finger[1] - other[1]);
      if (apart(before) > 0) this.zoomBy(apart(now) / apart(before), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
    } else if (this.moved > SLIP) this.moveBy(x, y);
  }

  up(event, is_tap) {
    const is_known = this.fingers.delete(event.pointerId);
    if (is_tap && is_known && this.moved <= SLIP) this.pointed([event.offsetX, event.offsetY]);
  }
}
