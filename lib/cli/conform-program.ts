/** The command line of the conformance suite. Loads nothing of it until a command runs. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { ReporterName } from '../conformance/reporters/create.js';
import type { ConformClientFlags, ConformServerFlags, ListFlags, ReportRequest } from './conform.js';
import type { Environment } from './environment.js';
import { milliseconds, port, wholeNumber } from './options.js';

const REPORTERS: readonly ReporterName[] = ['pretty', 'tap', 'json', 'junit', 'html', 'markdown'];

function report(text: string, earlier: readonly ReportRequest[] = []): readonly ReportRequest[] {
  const at = text.indexOf('=');
  const [wanted, file] = at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
  const name = REPORTERS.find((known) => known === wanted);
  if (name === undefined) throw new InvalidArgumentError(`Expected NAME or NAME=FILE, with ${REPORTERS.join(', ')}.`);
  if (file === '') throw new InvalidArgumentError('There is no file after the "=".');
  return [...earlier, { name, file }];
}

function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

const EXIT_NOTES = `
Exit status:
  0  every required case passed
  1  a MUST is broken or could not be shown, or an entry of the baseline is stale or expired
  2  the command line is wrong
  3  only a SHOULD is broken
  4  the target could not be reached or started
  5  a fault of the suite itself
  6  nothing ran, or nothing could be judged
129, 130 or 143 when ended by SIGHUP, SIGINT or SIGTERM; the reports then hold what was judged, and say that it is not all.`;

const CONFORM_NOTES = `
Examples:
  go-ahead conform server --exec "python3 server.py {port} {dir}" --profile classic
  go-ahead conform client --exec "python3 client.py {file} {host} {port}" --profile classic
  go-ahead conform list --only "server/name/*"
  go-ahead conform explain server/end/fin-mid-body

docs/conformance.md says how to read the reports.`;

const SERVER_NOTES = `
Examples:
  go-ahead conform server --port 12000 --dir inbox      one that runs, and where it stores
  go-ahead conform server --exec "python3 server.py {port} {dir}"
  go-ahead conform server --exec ./server --port 12000 --cwd run   cannot be told a port, stores where it stands
  go-ahead conform server --exec "..." --reporter pretty --reporter html=report.html --reporter junit=report.xml

--exec is split like a shell would and run without one. {port} is a free port, {dir} a new directory (or --dir), {host} the
address. Without --dir or {dir} only the connection is seen, and most cases are untestable.
${EXIT_NOTES}`;

const CLIENT_NOTES = `
Examples:
  go-ahead conform client --exec "python3 client.py {file} {host} {port}"
  go-ahead conform client --exec "./client {name}" --port 12000 --cwd run   cannot be told a port, sends from where it stands

The command runs once a case against a server of the suite, and its exit status counts. It is split like a shell would and
run without one. {file} is an absolute path, {name} its last component; a client that is given only {name} finds the files
in --cwd.
${EXIT_NOTES}`;

type Finish = (command: Command) => Command;

export function addConform(
  program: Command,
  named: Finish,
  environment: Environment,
  exit: (code: number) => void,
): void {
  const conform = named(program.command('conform'))
    .description('judge a server or a client by the clauses of the protocol')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', CONFORM_NOTES);

  judging(named(conform.command('server')).description('judge a server'))
    .option('--host <address>', 'address of the server', '127.0.0.1')
    .option('--port <number>', 'its port (default: 12000, or a free one for {port})', port)
    .option('--dir <directory>', 'where it stores, so that what is left on disk is seen')
    .option('--suffix <text>', 'what it adds to names (default: found out)')
    .option('--exec <command>', 'start and stop it: "CMD {port} {dir}"')
    .option('--cwd <directory>', 'where --exec runs')
    .addHelpText('after', SERVER_NOTES)
    .action(async (flags: ConformServerFlags) => {
      const { judgeServer } = await import('./conform.js');
      exit(await judgeServer(flags, environment));
    });

  judging(named(conform.command('client')).description('judge a client'))
    .requiredOption('--exec <command>', 'how to start it: "CMD {file} {host} {port}"')
    .option('--port <number>', 'for a client that cannot be told one; then one case runs at a time', port)
    .option('--cwd <directory>', 'where the files are made and --exec runs')
    .addHelpText('after', CLIENT_NOTES)
    .action(async (flags: ConformClientFlags) => {
      const { judgeClient } = await import('./conform.js');
      exit(await judgeClient(flags, environment));
    });

  selecting(named(conform.command('list')).description('list the cases'))
    .addOption(new Option('--role <role>', 'only those for one role').choices(['server', 'client']))
    .option('--json', 'as a JSON array')
    .action(async (flags: ListFlags) => {
      const { listCases } = await import('./conform.js');
      exit(listCases(flags, environment));
    });

  named(conform.command('explain'))
    .description('say what a case does byte by byte, what it expects, and why')
    .argument('<id>', 'the id of a case')
    .option('--json', 'as a JSON object')
    .action(async (id: string, flags: { readonly json?: boolean }) => {
      const { explainCase } = await import('./conform.js');
      exit(explainCase(id, flags, environment));
    });
}

function selecting(command: Command): Command {
  return command
    .addOption(new Option('--profile <profile>', 'what is asked').choices(['classic', 'full']))
    .option('--only <id>', 'only these cases: an id or a glob such as "server/name/*"; repeatable', collect)
    .option('--skip <id>', 'not these cases; repeatable', collect)
    .option('--quick', 'only the most telling cases, in seconds');
}

function judging(command: Command): Command {
  return selecting(command)
    .option('--reporter <name[=file]>', `${REPORTERS.join(', ')}; repeatable (default: pretty)`, report)
    .option('--verbose', 'pretty: the cases that pass too, and all that is known of each')
    .option('--seed <number>', 'for order and contents (default: random, printed)', wholeNumber(0, 2 ** 32 - 1))
    .option('--baseline <file>', 'failures that are known, with a reason and a date each')
    .option('--trace <directory>', 'for each case: the bytes as text, as pcapng, and a script that sends them again')
    .option('--declare <name=value>', 'what the target does, instead of probing; repeatable', collect)
    .option('--patience <ms>', 'longest wait for what must come (default: measured)', milliseconds)
    .option('--parallel <number>', 'cases at a time', wholeNumber(1, 1000));
}
