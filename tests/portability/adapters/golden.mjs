// Golden samples of the model card, in a browser and in Node.

// An input as it stands, or by the generator of the model card.
export function goldenInput(made, dtype) {
  if (made.data) return floats(made.data);
  const U64 = (value) => BigInt.asUintN(64, value);
  const gamma = 0x9e3779b97f4a7c15n;
  const count = made.shape.reduce((a, b) => a * b, 1);
  const values = new { f32: Float32Array, u8: Uint8Array }[dtype](count);
  for (let i = 0; i < count; i++) {
    let z = U64(BigInt(made.seed) + BigInt(i + 1) * gamma);
    z = U64((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = U64((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    z ^= z >> 31n;
    values[i] = made.low + ((made.high - made.low) * Number(z >> 40n)) / 2 ** 24;
  }
  return values;
}

function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function difference(name, found, expected) {
  if (String(found.dims) !== String(expected.shape)) {
    throw new Error(`${name} has the shape ${found.dims}, expected ${expected.shape}`);
  }
  let largest = 0;
  floats(expected.data).forEach((value, i) => {
    const error = Math.abs(found.data[i] - value);
    if (!Number.isFinite(error)) throw new Error(`${name} holds numbers that are not finite`);
    largest = Math.max(largest, error);
  });
  return largest;
}

// The largest absolute difference of every output, by golden sample; where one fails, what the runtime says.
export async function errors(ort, session, card) {
  const samples = {};
  for (const [index, { input, outputs }] of card.golden.entries()) {
    try {
      const type = { f32: "float32", u8: "uint8" }[card.input.dtype];
      const images = new ort.Tensor(type, goldenInput(input, card.input.dtype), input.shape);
      const found = await session.run({ [card.input.name]: images });
      const named = Object.entries(outputs).map(([name, expected]) => [name, difference(name, found[name], expected)]);
      samples[index] = Object.fromEntries(named);
    } catch (error) {
      samples[index] = String(error);
    }
  }
  return samples;
}
