// Reads one JSON request per line, answers with one JSON line; times only sharp itself.
const path = require('node:path');
const readline = require('node:readline');
const sharp = require(path.join(process.env.SHARP_FOLDER, 'node_modules', 'sharp'));

sharp.cache(false);
sharp.concurrency(1);

async function one(blob, request) {
  let image = sharp(blob, { autoOrient: false });
  if (request.side !== null) {
    image = image.resize(request.side, request.side, { fit: 'inside', withoutEnlargement: true });
  }
  return image
    .jpeg({ quality: request.quality, chromaSubsampling: '4:2:0', optimiseCoding: false })
    .toBuffer();
}

async function run(request) {
  const blobs = request.blobs.map((hex) => Buffer.from(hex, 'hex'));
  const outputs = new Array(blobs.length);
  let next = 0;
  const start = process.hrtime.bigint();
  const lanes = Array.from({ length: request.workers }, async () => {
    while (next < blobs.length) {
      const index = next++;
      outputs[index] = await one(blobs[index], request);
    }
  });
  await Promise.all(lanes);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  process.stdout.write(
    JSON.stringify({ seconds, outputs: outputs.map((b) => b.toString('hex')) }) + '\n',
  );
}

let queue = Promise.resolve();
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  queue = queue.then(() => run(JSON.parse(line)));
});
