// The defects of student_server.py and student_client.py, which are judged with the profile `classic`.

export const STUDENT_SERVER_DEFECTS = {
  'one-recv': { what: 'calls recv once for the body', breaks: ['6.3'] },
  'recv-size': { what: 'calls recv(size) once', breaks: ['6.3', '6.4', '7.5'] },
  'until-short-read': { what: 'a read of less than 1,024 bytes ends the body', breaks: ['6.3', '6.4', '7.5'] },
  'until-the-end': { what: 'reads until the sender closes, whatever the size', breaks: ['6.4', '7.6', '7.3'] },
  'keeps-what-came': { what: 'keeps what came when the sender leaves', breaks: ['6.4'] },
  'reopens-for-writing': { what: 'opens the file anew for each piece', breaks: ['6.3'] },
  'little-endian': { what: 'unpacks the size in the order of its own machine', breaks: ['3.2'] },
  'text-mode': { what: 'opens the file in text mode', breaks: ['6.3'] },
  'counts-blocks': { what: 'counts reads instead of bytes', breaks: ['6.3', '6.4', '7.5'] },
  'never-closes': { what: 'keeps the connection', breaks: ['7.6'] },
  'newline-in-the-reply': { what: 'replies with a line', breaks: ['5.1'] },
  'no-reply-for-zero': { what: 'sends no reply for an empty file', breaks: ['5.3'] },
  'without-threads': { what: 'serves one client after the other', breaks: ['2.2'] },
  'one-client': { what: 'ends after the first client', breaks: ['2.3'] },
  'dies-of-errors': { what: 'an exception ends the server', breaks: ['2.3', '6.4'] },
};

export const STUDENT_CLIENT_DEFECTS = {
  'does-not-wait': { what: 'sends the body directly after the header', breaks: ['3.5'] },
  'ignores-the-reply': { what: 'reads the reply and does not look at it', breaks: ['5.5', '5.6'] },
  'prints-the-error': { what: 'prints that the reply was wrong, and exits with 0', breaks: ['5.5', '8.6', '5.6'] },
  'one-block': { what: 'sends 1,024 bytes', breaks: ['6.1'] },
  'whole-blocks': { what: 'sends whole blocks of 1,024 bytes', breaks: ['6.1'] },
  'little-endian': { what: 'packs the size in the order of its own machine', breaks: ['3.2'] },
  'size-as-text': { what: 'sends the size in digits', breaks: ['3.2', '3.1'] },
  'newline-after-the-name': { what: 'ends the name with a newline', breaks: ['3.3', '3.1'] },
  'text-mode': { what: 'reads the file in text mode', breaks: ['6.1'] },
  'sends-and-says-done': { what: 'sends `done` after the file', breaks: ['6.1'] },
  'in-answer-is-enough': { what: 'takes every answer with `go` in it for the reply', breaks: ['5.5', '5.6'] },
  'never-closes': { what: 'keeps the connection until the server closes', breaks: ['7.1', '6.1', '8.6'] },
};
