/**
 * A visitor's picture, made small enough for one message. Loaded by the first one.
 *
 * It is drawn anew: what a camera wrote beside the picture, such as the place, stays here.
 */

/** The server and the page write it where a picture was shown. */
export const MARK = "🖼";
const MIME = "image/jpeg";
/** Longest side, and how good; the first that is small enough is taken. */
const SIDES_PX = [1280, 1024, 768, 512, 320];
const QUALITIES = [0.85, 0.7, 0.5];

/**
 * Return a file as a picture of at most so many bytes.
 *
 * @param {Blob} file
 * @param {number} mostBytes
 * @returns {Promise<{mime: string, data: string}>} `data` as base64.
 * @throws {TypeError} If it is no picture that this browser can read.
 */
export async function smallPicture(file, mostBytes) {
  const bitmap = await read(file);
  try {
    for (const sidePx of SIDES_PX) {
      const canvas = drawn(bitmap, sidePx);
      for (const quality of QUALITIES) {
        const blob = await encoded(canvas, quality);
        if (blob.size <= mostBytes) return { mime: MIME, data: await base64(blob) };
      }
    }
  } finally {
    bitmap.close();
  }
  throw new TypeError("the picture cannot be made small enough");
}

/**
 * Draw a picture within a square.
 *
 * @param {ImageBitmap} bitmap
 * @param {number} sidePx
 */
export function drawn(bitmap, sidePx) {
  const scale = Math.min(1, sidePx / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  // What can be seen through would turn black.
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * @param {Blob} file
 * @throws {TypeError} If it is no picture.
 */
export async function read(file) {
  try {
    return await createImageBitmap(file);
  } catch (error) {
    throw new TypeError("the file is no picture", { cause: error });
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number} quality
 * @returns {Promise<Blob>}
 */
function encoded(canvas, quality) {
  return new Promise((resolve, reject) => {
    const take = (/** @type {Blob | null} */ blob) =>
      blob ? resolve(blob) : reject(new TypeError("the picture cannot be written"));
    canvas.toBlob(take, MIME, quality);
  });
}

/** @param {Blob} blob */
async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
