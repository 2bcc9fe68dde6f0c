// The defects of student_server.py and student_client.py, which are judged with the profile `classic`.

export const STUDENT_SERVER_DEFECTS = {
  'one-recv': { what: 'calls recv once for the body', breaks: ['6.3'], cases: ['server/size/2048'] },
  'recv-size': { what: 'calls recv(size) once', breaks: ['6.3', '6.4', '7.5'], cases: ['server/size/1-mib'] },
  'until-short-read': {
    what: 'a read of less than 1,024 bytes ends the body',
    breaks: ['6.3', '6.4', '7.5'],
    cases: ['server/body/first-byte-alone'],
  },
  'until-the-end': {
    what: 'reads until the sender closes, whatever the size',
    breaks: ['6.4', '7.6', '7.3'],
    cases: ['server/end/reset-before-first-byte'],
    related: ['server/many/while-one-is-in-its-body', 'server/size/*2-32*'],
  },
  'keeps-what-came': {
    what: 'keeps what came when the sender leaves',
    breaks: ['6.4'],
    cases: ['server/end/fin-mid-body'],
    related: ['server/many/failures-among-good', 'server/many/while-one-has-its-reply'],
  },
  'reopens-for-writing': {
    what: 'opens the file anew for each piece',
    breaks: ['6.3'],
    cases: ['server/size/2048'],
  },
  'little-endian': {
    what: 'unpacks the size in the order of its own machine',
    // It stores what comes until the end of the stream, so it shows where that is not the end of the file.
    breaks: ['2.3', '3.2', '6.4', '7.3', '7.6', '11.5'],
    cases: ['server/end/sender-stays'],
  },
  'half-of-the-size': {
    what: 'unpacks the last four bytes of the size',
    breaks: ['9.1'],
    cases: ['server/size/2-32-and-1000'],
  },
  'text-mode': { what: 'opens the file in text mode', breaks: ['6.3'], cases: ['server/body/crlf'] },
  'counts-blocks': {
    what: 'counts reads instead of bytes',
    breaks: ['6.3', '6.4', '7.5'],
    cases: ['server/body/control-z'],
  },
  'never-closes': { what: 'keeps the connection', breaks: ['7.6'], cases: ['server/end/sender-stays'] },
  'newline-in-the-reply': { what: 'replies with a line', breaks: ['5.1'], cases: ['server/end/reply-exact'] },
  'no-reply-for-zero': { what: 'sends no reply for an empty file', breaks: ['5.3'], cases: ['server/size/zero'] },
  'without-threads': {
    what: 'serves one client after the other',
    breaks: ['2.2'],
    cases: ['server/many/second-while-first-is-open'],
  },
  'one-client': {
    what: 'ends after the first client',
    breaks: ['2.3'],
    cases: ['server/many/in-turn'],
    related: ['server/many/while-one-is-silent'],
  },
  'dies-of-errors': {
    what: 'an exception ends the server',
    breaks: ['2.3', '6.4'],
    cases: ['server/end/fin-mid-body'],
    related: ['server/header/nothing', 'server/many/while-one-is-in-its-body', 'server/size/*2-32*'],
  },
};

export const STUDENT_CLIENT_DEFECTS = {
  'does-not-wait': {
    what: 'sends the body directly after the header',
    breaks: ['3.5'],
    cases: ['client/header/awaited'],
  },
  'ignores-the-reply': {
    what: 'reads the reply and does not look at it',
    breaks: ['5.5', '5.6'],
    cases: ['client/reply/capital'],
  },
  'prints-the-error': {
    what: 'prints that the reply was wrong, and exits with 0',
    breaks: ['5.5', '8.6', '5.6'],
    cases: ['client/reply/capital'],
    related: ['client/reply/reset-after-part'],
  },
  'one-block': {
    what: 'sends 1,024 bytes',
    breaks: ['6.1'],
    cases: ['client/size/1025'],
    related: ['client/header/awaited'],
  },
  'whole-blocks': { what: 'sends whole blocks of 1,024 bytes', breaks: ['6.1'], cases: ['client/size/one'] },
  'little-endian': {
    what: 'packs the size in the order of its own machine',
    breaks: ['3.2'],
    cases: ['client/header/byte-order'],
  },
  'two-sends': {
    what: 'sends the size, then the name',
    breaks: ['3.4'],
    cases: ['client/header/one-piece'],
  },
  'size-as-text': { what: 'sends the size in digits', breaks: ['3.2', '3.1'], cases: ['client/header/byte-order'] },
  'newline-after-the-name': {
    what: 'ends the name with a newline',
    breaks: ['3.3', '3.1'],
    cases: ['client/header/no-terminator'],
  },
  'text-mode': { what: 'reads the file in text mode', breaks: ['6.1'], cases: ['client/body/crlf'] },
  'sends-and-says-done': { what: 'sends `done` after the file', breaks: ['6.1'], cases: ['client/size/one'] },
  'in-answer-is-enough': {
    what: 'takes every answer with `go` in it for the reply',
    breaks: ['5.5', '5.6'],
    cases: ['client/reply/prefix'],
  },
  'never-closes': {
    what: 'keeps the connection until the server closes',
    breaks: ['7.1', '6.1', '8.6'],
    cases: ['client/body/blanks'],
  },
};
