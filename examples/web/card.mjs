// From an image file to the input of a model, by the card alone.

// The image as a batch of one: resize, crop, pad, rescale, normalise, lay out.
export async function prepare(card, file) {
  const { preprocessing: steps, input } = card;
  let image = channels(await pixels(file), input.channels);
  if (steps.do_resize) image = resize(image, ...target(image, steps.size), steps.resample);
  for (const size of [steps.crop_size, steps.pad_size]) if (size) image = centre(image, size);
  const { width, height, depth, data } = image;
  const values = new { f32: Float32Array, u8: Uint8Array }[input.dtype](data.length);
  const planar = input.layout === "NCHW";
  data.forEach((byte, i) => {
    const [place, c] = [Math.floor(i / depth), i % depth];
    const { rescale_factor: factor, image_mean: mean, image_std: std } = steps;
    const value = input.dtype === "u8" ? byte : (byte * factor - mean[c]) / std[c];
    values[planar ? c * width * height + place : i] = value;
  });
  const shape = planar ? [1, depth, height, width] : [1, height, width, depth];
  return { type: { f32: "float32", u8: "uint8" }[input.dtype], values, shape };
}

async function pixels(file) {
  // The bytes as they are in the file, not as the screen shows them.
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  return { width, height, depth: 4, data: context.getImageData(0, 0, width, height).data };
}

// Grey as Pillow weighs it, RGB or RGBA.
function channels({ width, height, data }, depth) {
  const made = new Uint8Array(width * height * depth);
  for (let i = 0; i < width * height; i++) {
    const [r, g, b, a] = data.subarray(4 * i, 4 * i + 4);
    if (depth === 1) made[i] = (r * 19595 + g * 38470 + b * 7471 + 32768) >> 16;
    else made.set([r, g, b, a].slice(0, depth), i * depth);
  }
  return { width, height, depth, data: made };
}

function target({ width, height }, size) {
  if (!size.shortest_edge) return [size.width, size.height];
  const factor = size.shortest_edge / Math.min(width, height);
  return [width, height].map((side) => Math.max(1, Math.round(side * factor)));
}

// A triangle filter that widens when it shrinks, as Pillow's bilinear one; rows first, each pass rounded to bytes.
function resize(image, width, height, filter) {
  if (image.width === width && image.height === height) return image;
  if (filter !== 2) throw new Error(`the card asks for filter ${filter}; this example knows bilinear (2) alone`);
  const { depth } = image;
  const rows = new Uint8Array(width * image.height * depth);
  weights(image.width, width).forEach(({ first, parts }, x) => {
    for (let y = 0; y < image.height; y++)
      for (let c = 0; c < depth; c++)
        rows[(y * width + x) * depth + c] = sum(parts, (k) => image.data[(y * image.width + first + k) * depth + c]);
  });
  const data = new Uint8Array(width * height * depth);
  weights(image.height, height).forEach(({ first, parts }, y) => {
    for (let i = 0; i < width * depth; i++) data[y * width * depth + i] = sum(parts, (k) => rows[(first + k) * width * depth + i]);
  });
  return { width, height, depth, data };
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

// Crops or pads with black, the image in the centre.
function centre(image, { width, height }) {
  const [left, top] = [Math.floor((image.width - width) / 2), Math.floor((image.height - height) / 2)];
  const data = new Uint8Array(width * height * image.depth);
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++)
    for (let x = Math.max(0, -left); x < Math.min(width, image.width - left); x++)
      for (let c = 0; c < image.depth; c++)
        data[(y * width + x) * image.depth + c] = image.data[((y + top) * image.width + x + left) * image.depth + c];
  return { width, height, depth: image.depth, data };
}
