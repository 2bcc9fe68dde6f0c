/** A call of `node:fs` as a promise. Unlike a `FileHandle` and `fs/promises`, plain callbacks cost one promise a call. */
export function promised<T>(call: (done: (error: NodeJS.ErrnoException | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error === null) resolve(value);
      else reject(error);
    });
  });
}
