// What runtimes.py runs in node: worker threads, buffers, compression, json, child processes, addons of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { brotliCompressSync, brotliDecompressSync, deflateSync, inflateSync } from 'node:zlib';

function work(seed) {
  const row = (_, i) => ({ id: i, name: `name ${(i * seed) % 977}`, price: (i * seed) / 7 });
  const rows = Array.from({ length: 4000 }, row);
  const text = JSON.stringify(rows);
  const again = JSON.stringify(JSON.parse(text));
  const packed = deflateSync(text);
  const small = brotliCompressSync(text.slice(0, 50000));
  const whole = inflateSync(packed).toString() === again && brotliDecompressSync(small).length === 50000;
  const buffers = Array.from({ length: 300 }, (_, i) => Buffer.alloc(1000 + i * 100, seed));
  const hash = createHash('sha256').update(text);
  buffers.forEach((buffer) => hash.update(buffer));
  return `${seed} ${whole} ${hash.digest('hex')}`;
}

if (!isMainThread) {
  parentPort.postMessage(work(workerData));
} else {
  const answers = [1, 2, 3, 4].map((seed) => new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: seed });
    worker.on('message', resolve).on('error', reject);
  }));
  console.log((await Promise.all(answers)).join('\n'));
  console.log(work(5));
  console.log(execFileSync('/bin/sh', ['-c', 'echo from a shell']).toString().trim());
  console.log(spawnSync(process.execPath, ['-e', 'process.exitCode = 4; console.log("child")']).status);
  try {
    (function deeper() { deeper(); })();
  } catch (error) {
    console.log(error.constructor.name);
  }
  process.on('SIGUSR2', () => { console.log('signal'); process.exit(6); });
  process.kill(process.pid, 'SIGUSR2');
  setTimeout(() => process.exit(7), 20000);
}
