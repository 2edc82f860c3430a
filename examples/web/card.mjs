// From an image file to the input of a model, by the card alone, as `selfie serve` does it.

// The image as a batch of one: channels, resize, crop, pad, rescale, normalise, lay out. `image` is upright and has four
// bytes a pixel, as `decode` gives it.
export function prepare(card, image) {
  const { preprocessing: steps, input } = card;
  image = channels(image, input.channels);
  if (steps.do_resize) image = resize(image, ...target(image, steps.size), steps.resample);
  if (steps.crop_size) image = place(image, steps.crop_size, (missing) => Math.ceil(missing / 2));
  const { pad_size: pad } = steps;
  if (pad && (pad.width < image.width || pad.height < image.height))
    throw new Error(`${image.width} x ${image.height} before it is padded is more than ${pad.width} x ${pad.height}`);
  if (pad) image = place(image, pad, (missing) => Math.floor(missing / 2));
  const { width, height, depth, data } = image;
  if (width !== input.width || height !== input.height)
    throw new Error(`${width} x ${height} after preprocessing, the model takes ${input.width} x ${input.height}`);
  const values = new { f32: Float32Array, u8: Uint8Array }[input.dtype](data.length);
  const planar = input.layout === "NCHW";
  const { rescale_factor: factor, image_mean: mean, image_std: std } = steps;
  const f32 = Math.fround;
  data.forEach((byte, i) => {
    const [pixel, c] = [Math.floor(i / depth), i % depth];
    const value = input.dtype === "u8" ? byte : f32(f32(byte * factor) - f32(mean[c])) / f32(std[c]);
    values[planar ? c * width * height + pixel : i] = value;
  });
  const shape = planar ? [1, depth, height, width] : [1, height, width, depth];
  return { type: { f32: "float32", u8: "uint8" }[input.dtype], values, shape };
}

// What a browser makes of a file: upright, RGBA, eight bits (of sixteen the upper eight, which are not rounded).
export async function decode(file) {
  // The bytes as they are in the file, not as the screen shows them.
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

// Grey as Pillow weighs it, RGB or RGBA. Transparency is laid over black where it has no channel.
function channels({ width, height, data }, depth) {
  const made = new Uint8Array(width * height * depth);
  for (let i = 0; i < width * height; i++) {
    const pixel = data.subarray(4 * i, 4 * i + 4);
    const [r, g, b] = depth < 4 ? Array.from(pixel, (value) => Math.floor((value * pixel[3] + 127) / 255)) : pixel;
    if (depth === 1) made[i] = (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16;
    else made.set([r, g, b, pixel[3]].slice(0, depth), i * depth);
  }
  return { width, height, depth, data: made };
}

// The longer side is rounded down.
function target({ width, height }, size) {
  if (!size.shortest_edge) return [size.width, size.height];
  const [edge, short] = [size.shortest_edge, Math.min(width, height)];
  return [width, height].map((side) => (side === short ? edge : Math.max(1, Math.floor((edge * side) / short))));
}

// A triangle filter that widens when it shrinks, as Pillow's bilinear one; rows first, each pass rounded to bytes, and
// transparent pixels weighted by their opacity.
function resize(image, width, height, filter) {
  if (image.width === width && image.height === height) return image;
  if (filter !== 2) throw new Error(`the card asks for filter ${filter}; this example knows bilinear (2) alone`);
  const { depth } = image;
  const from = weighted(image.data, depth, (value, alpha) => (value * alpha) / 255);
  const rows = new Uint8Array(width * image.height * depth);
  weights(image.width, width).forEach(({ first, parts }, x) => {
    for (let y = 0; y < image.height; y++)
      for (let c = 0; c < depth; c++)
        rows[(y * width + x) * depth + c] = sum(parts, (k) => from[(y * image.width + first + k) * depth + c]);
  });
  const data = new Uint8Array(width * height * depth);
  weights(image.height, height).forEach(({ first, parts }, y) => {
    for (let i = 0; i < width * depth; i++) data[y * width * depth + i] = sum(parts, (k) => rows[(first + k) * width * depth + i]);
  });
  return { width, height, depth, data: weighted(data, depth, (value, alpha) => (alpha ? (value * 255) / alpha : 0)) };
}

// Each colour with its opacity, where it has one.
function weighted(data, depth, weigh) {
  if (depth < 4) return data;
  return Uint8ClampedArray.from(data, (value, i) => (i % 4 === 3 ? value : weigh(value, data[i - (i % 4) + 3])));
}

function sum(parts, at) {
  return Math.round(parts.reduce((total, part, k) => total + part * at(k), 0));
}

// For every place of the result, the first place of the source that counts, and how much each from there on does.
function weights(from, to) {
  const scale = from / to;
  const support = Math.max(scale, 1);
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(from, Math.floor(centre + support + 0.5));
    const heights = Array.from({ length: end - first }, (_, k) => Math.max(0, 1 - Math.abs(first + k + 0.5 - centre) / support));
    const total = heights.reduce((a, b) => a + b, 0);
    return { first, parts: heights.map((part) => part / total) };
  });
}

// The centre of the image, the smaller half of an odd rest cut at the left and at the top; black where there is too
// little, of that `before` at the left and at the top.
function place(image, { width, height }, before) {
  const start = (found, wanted) => (found >= wanted ? Math.floor((found - wanted) / 2) : -before(wanted - found));
  const [left, top] = [start(image.width, width), start(image.height, height)];
  const data = new Uint8Array(width * height * image.depth);
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++)
    for (let x = Math.max(0, -left); x < Math.min(width, image.width - left); x++)
      for (let c = 0; c < image.depth; c++)
        data[(y * width + x) * image.depth + c] = image.data[((y + top) * image.width + x + left) * image.depth + c];
  return { width, height, depth: image.depth, data };
}
