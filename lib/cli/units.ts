const STEPS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** Powers of 1,000, as disks and networks count: `999 B`, `1.5 MB`. */
export function formatSize(bytes: bigint | number): string {
  let value = Number(bytes);
  let step = 0;
  while (value >= 999.5 && step < STEPS.length - 1) {
    value /= 1000;
    step += 1;
  }
  const { [step]: unit = '' } = STEPS;
  return `${shorten(value, step === 0)} ${unit}`;
}

/** `12 ms`, `3.4 s`, `2 min 5 s`. */
export function formatTime(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${shorten(ms / 1000, false)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function formatRate(bytes: bigint | number, ms: number): string {
  return `${formatSize(ms > 0 ? (Number(bytes) * 1000) / ms : Number(bytes) * 1000)}/s`;
}

function shorten(value: number, whole: boolean): string {
  return whole || value >= 99.95 ? value.toFixed(0) : value.toFixed(1);
}
