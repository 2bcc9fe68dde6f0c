import { Command, CommanderError, Option } from 'commander';
import { DEFAULT_PORT } from '../net/address.js';
import { addConform } from './conform-program.js';
import type { DemoFlags } from './demo.js';
import type { Environment } from './environment.js';
import { EXIT } from './exit-code.js';
import {
  address,
  chunkSize,
  milliseconds,
  PAUSED_CHUNK_SIZE,
  port,
  rate,
  seconds,
  size,
  wholeNumber,
} from './options.js';
import { printableMessage, type Printer } from './printer.js';
import type { SendFlags } from './send.js';
import type { ServeFlags } from './serve.js';
import { packageVersion } from './version.js';

const PROGRAM_NOTES = `
Examples:
  go-ahead serve ~/incoming                 receive into a directory
  go-ahead send report.pdf photo.jpg        send to a server on this machine
  go-ahead send *.log --to 192.0.2.7:12000  send to another one
  go-ahead demo                             see both at work, with many clients
  go-ahead conform server --exec "python3 server.py {port} {dir}"   judge somebody else's

Exit status: 0 all went well, 1 something failed, 2 the command line is wrong.
Colours: on a terminal only, and not when NO_COLOR is set.`;

const SERVE_NOTES = `
Examples:
  go-ahead serve                                   into the current directory, from this machine only
  go-ahead serve ~/incoming --host 0.0.0.0         from anywhere: there is no authentication
  go-ahead serve --port 0 --json | my-program      a free port, events as JSON
  go-ahead serve --max-size 2GiB --on-conflict refuse
  go-ahead serve --workers 4                       on four cores
  go-ahead serve --tls-cert cert.pem --tls-key key.pem --tls-ca clients.pem
                                                   encrypted, and only for clients with a certificate

TLS files are in PEM. With --tls-cert every connection is TLS; with --tls-ca besides, only clients with a certificate of
that authority get in.

SECONDS may have a fraction; SIZE is in bytes, or with k, M, G, T (powers of 1,000) or Ki, Mi, Gi, Ti (of 1,024).

With --json each line of standard output is one object:
  {"event":"listening","host","port","directory"}
  {"event":"stored","name","size","path","ms","peer"}
  {"event":"failed","name","code","message","received","peer"}
name is what the sender announced (null before it did), path where the file stands, ms counts from the connection.
Sizes above 2^53 - 1 are strings.

SIGINT and SIGTERM stop accepting and let running uploads finish; after --drain they are reset. A second signal resets
them at once. What is not whole is removed in either case.

With --workers a process that dies is replaced and its uploads fail; --max-connections is for all of them together.

Exit status: 0 after the first signal, 130 (SIGINT) or 143 (SIGTERM) after a second one, 1 when it cannot listen or
store, or when a worker dies again and again, 2 when the command line is wrong.`;

const SEND_NOTES = `
Examples:
  go-ahead send report.pdf                              to 127.0.0.1:12000
  go-ahead send *.jpg --to [2001:db8::7]:12000          several files, 4 at a time
  go-ahead send notes.txt --as "notes (draft).txt"
  tar c src | go-ahead send - --size 10240 --as src.tar a stream of a size that is known
  printf hello | go-ahead send - --size 5               under the name stdin
  go-ahead send a.bin --tls --to files.example:12000    encrypted, to a server with --tls-cert
  go-ahead send a.bin b.bin --pause 200                 slowly, to see several clients at work

SECONDS may have a fraction; SIZE is in bytes, or with k, M, G, T (powers of 1,000) or Ki, Mi, Gi, Ti (of 1,024).

TLS files are in PEM. The server's certificate must be of an authority that Node knows, or of --tls-ca, and name the host
of --to.

The last bytes of standard input are sent when it has ended: only then is it certain that it has no more of them than
--size says.

A file counts as sent when the server has confirmed it by closing the connection. Progress goes to standard error.
With --json each line of standard output is one object:
  {"event":"confirmed","file","name","size","ms","attempts"}
  {"event":"failed","file","name","code","message","mayBeStored"}
Sizes above 2^53 - 1 are strings.

Ctrl-C resets the connections, so that the server discards what it has.

Exit status: 0 when every file was confirmed, 1 when any failed, 2 when the command line is wrong, 130 or 143 when
ended by SIGINT or SIGTERM.`;

const DEMO_NOTES = `
Examples:
  go-ahead demo
  go-ahead demo --clients 32 --large 1GiB
  go-ahead demo --keep                      look at the files afterwards

Exit status: 0 when every file arrived and matches by SHA-256, 1 when any does not, 2 when the command line is wrong,
130 or 143 when ended by SIGINT or SIGTERM.`;

/** Parses the command line, runs the command and returns what the process is to exit with. */
export async function runProgram(environment: Environment, out: Printer, err: Printer): Promise<number> {
  let exitCode: number = EXIT.ok;
  const exit = (code: number): void => void (exitCode = code);
  const program = named(new Command('go-ahead'), err)
    .description('Send files over TCP with the go-ahead protocol, and receive them.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      getOutHelpWidth: () => out.columns,
      getErrHelpWidth: () => err.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', PROGRAM_NOTES);
  addServe(named(program.command('serve'), err), environment, exit);
  addSend(named(program.command('send'), err), environment, exit);
  addDemo(named(program.command('demo'), err), environment, exit);
  addConform(program, (command) => named(command, err), environment, exit);
  try {
    await program.parseAsync(environment.argv, { from: 'user' });
    return exitCode;
  } catch (reason) {
    if (reason instanceof CommanderError) return reason.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw reason;
  }
}

/** Makes its usage errors one line that names the help to read. */
function named(command: Command, err: Printer): Command {
  const full = fullName(command);
  return command.configureOutput({
    outputError: (text, write) => {
      const message = printableMessage(
        text
          .trim()
          .replace(/^error: /, '')
          .replaceAll(/\s+/g, ' '),
      );
      write(`${err.paint('red', `${full}: ${message}`)} (see ${full} --help)\n`);
    },
  });
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function addServe(command: Command, environment: Environment, exit: (code: number) => void): void {
  command
    .description('receive files into a directory')
    .argument('[directory]', 'where to store; it must exist', '.')
    .option('--host <address>', 'address to listen on; 0.0.0.0 or :: for all', '127.0.0.1')
    .option('--port <number>', 'port to listen on, 0 for a free one', port, DEFAULT_PORT)
    .option('--suffix <text>', 'added to every name, such as .temp (what the classic receiver does)')
    .addOption(
      new Option('--on-conflict <policy>', 'when a name is taken: store under a numbered name, replace, or refuse')
        .choices(['rename', 'replace', 'refuse'])
        .default('rename'),
    )
    .option('--no-sync', 'do not wait for the disk: faster, and a power cut may lose confirmed files')
    .option('--portable-names', 'refuse names that Windows reserves')
    .option('--max-size <size>', 'refuse larger files (default: what the disk can hold)', size)
    .option('--max-connections <number>', 'connections served at once (default: 10000)', wholeNumber(1))
    .option(
      '--workers <number>',
      'processes that share the port and the directory (default: this one alone)',
      wholeNumber(1, 1024),
    )
    .option('--max-connections-per-address <n>', 'of one address (default: as many as in all)', wholeNumber(1))
    .option('--header-deadline <seconds>', 'for the whole header (default: 10)', seconds)
    .option('--body-deadline <seconds>', 'for the next byte of a file (default: 60)', seconds)
    .option('--min-rate <size>', 'reset slower senders: bytes a second, over 10 s (default: 0, none)', rate)
    .option('--settle <ms>', 'quiet after which a header that came in pieces is whole (default: 50)', milliseconds)
    .option('--grace <ms>', 'watch over a sender that does not close after its last byte (default: 250)', milliseconds)
    .option('--drain <seconds>', 'how long running uploads may go on after a signal (default: 10)', seconds)
    .option('--tls-cert <file>', 'speak TLS, with this certificate')
    .option('--tls-key <file>', 'the key of the certificate')
    .option('--tls-ca <file>', 'let in only clients with a certificate of this authority')
    .option('--json', 'print events as JSON, one object a line')
    .addHelpText('after', SERVE_NOTES)
    .action(async (directory: string, flags: ServeFlags) => {
      const { checkServeTls } = await import('./tls.js');
      const fault = checkServeTls(flags);
      if (fault !== undefined) command.error(fault);
      const { serve } = await import('./serve.js');
      exit(await serve(directory, flags, environment));
    });
}

function addSend(command: Command, environment: Environment, exit: (code: number) => void): void {
  command
    .description('send files to a server')
    .argument('<file...>', 'files to send; - is standard input, with --size')
    .option('--to <address>', 'the server: HOST, HOST:PORT, :PORT or [IPV6]:PORT (default: 127.0.0.1:12000)', address)
    .option('--as <name>', 'the name to announce (default: the last component of the path; of standard input: stdin)')
    .option('--size <size>', 'the exact size of standard input, which must end after so many bytes', size)
    .option('--concurrency <number>', 'files sent at once', wholeNumber(1), 4)
    .option(
      '--pause <ms>',
      `an artificial pause before each ${PAUSED_CHUNK_SIZE} bytes, or --chunk-size (default: 0)`,
      milliseconds,
    )
    .option('--chunk-size <size>', `sent at once (default: 2MiB, with --pause ${PAUSED_CHUNK_SIZE})`, chunkSize)
    .option('--retries <number>', 'further tries where nothing was stored for certain', wholeNumber(0), 0)
    .option('--connect-timeout <seconds>', 'for the connection (default: 10)', seconds)
    .option('--reply-timeout <seconds>', 'for the reply (default: 30)', seconds)
    .option('--send-timeout <seconds>', 'for the server to take some bytes (default: 60)', seconds)
    .option('--confirm-timeout <seconds>', 'for the confirmation after the last byte (default: 120)', seconds)
    .option('--tls', 'speak TLS')
    .option('--tls-ca <file>', 'the authority to trust (default: those that Node knows)')
    .option('--tls-cert <file>', 'a certificate to show to the server')
    .option('--tls-key <file>', 'the key of the certificate')
    .option('--json', 'print results as JSON, one object a line')
    .addHelpText('after', SEND_NOTES)
    .action(async (files: string[], flags: SendFlags) => {
      const { checkSendUsage, sendFiles } = await import('./send.js');
      const fault = checkSendUsage(files, flags);
      if (fault !== undefined) command.error(fault);
      exit(await sendFiles(files, flags, environment));
    });
}

function addDemo(command: Command, environment: Environment, exit: (code: number) => void): void {
  command
    .description('see a server and many clients at work, and compare what arrived with what was sent')
    .option('--clients <number>', 'clients at once', wholeNumber(1, 1000), 8)
    .addOption(new Option('--large <size>', 'size of the one large file').argParser(size).default(2n ** 26n, '64MiB'))
    .option('--keep', 'keep the temporary directory, and say where it is')
    .addHelpText('after', DEMO_NOTES)
    .action(async (flags: DemoFlags) => {
      const { demo } = await import('./demo.js');
      exit(await demo(flags, environment));
    });
}
