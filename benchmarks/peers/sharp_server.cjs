// Reads one JSON request per line, answers with one JSON line; times only sharp itself.
const fs = require('node:fs');
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
  return image.toFormat(request.format, request.options).toBuffer();
}

async function run(request) {
  const blobs = request.inputs.map((name) => fs.readFileSync(name));
  const results = new Array(blobs.length);
  let next = 0;
  const start = process.hrtime.bigint();
  const startCpu = process.cpuUsage();
  const lanes = Array.from({ length: request.workers }, async () => {
    while (next < blobs.length) {
      const index = next++;
      results[index] = await one(blobs[index], request);
    }
  });
  await Promise.all(lanes);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const cpu = process.cpuUsage(startCpu);  // Of all threads, in microseconds.
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  results.forEach((result, index) => fs.writeFileSync(request.outputs[index], result));
  process.stdout.write(JSON.stringify({ seconds, cpuSeconds }) + '\n');
}

let queue = Promise.resolve();
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  queue = queue
    .then(() => run(JSON.parse(line)))
    .catch((error) => process.stdout.write(JSON.stringify({ error: String(error) }) + '\n'));
});
