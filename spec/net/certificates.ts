import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A reason to skip, or false. */
export const noOpenssl: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'the command openssl is missing';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Certificates {
  /** The authority that everybody here trusts. */
  readonly ca: Certificate;
  /** Of localhost and 127.0.0.1. */
  readonly server: Certificate;
  readonly client: Certificate;
  /** Of elsewhere.example alone. */
  readonly elsewhere: Certificate;
  /** Of localhost and 127.0.0.1, in the past. */
  readonly expired: Certificate;
  readonly otherCa: Certificate;
  /** A client of the other authority. */
  readonly stranger: Certificate;
}

const HERE = 'subjectAltName=DNS:localhost,IP:127.0.0.1';

/** Made anew with openssl, so that none here ever expires. */
export function makeCertificates(t: Test): Certificates {
  const folder = t.testdir({});
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  };
  const load = (name: string): Certificate => {
    const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  };
  const key = (name: string): void =>
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  const authority = (name: string): Certificate => {
    key(name);
    openssl('req', '-x509', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-days', '2', '-out', `${name}.pem`);
    return load(name);
  };
  const issue = (name: string, issuer: string, extensions: string, ...more: string[]): Certificate => {
    key(name);
    writeFileSync(join(folder, `${name}.ext`), `${extensions}\n`);
    openssl('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
    const files = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-out', `${name}.pem`];
    openssl('x509', '-req', ...files, '-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial', ...more);
    return load(name);
  };
  const ca = authority('ca');
  const otherCa = authority('other-ca');
  return {
    ca,
    otherCa,
    server: issue('server', 'ca', HERE, '-days', '2'),
    client: issue('client', 'ca', 'extendedKeyUsage=clientAuth', '-days', '2'),
    elsewhere: issue('elsewhere', 'ca', 'subjectAltName=DNS:elsewhere.example', '-days', '2'),
    // A negative number of days ends it before it began.
    expired: issue('expired', 'ca', HERE, '-days', '-1'),
    stranger: issue('stranger', 'other-ca', 'extendedKeyUsage=clientAuth', '-days', '2'),
  };
}
