// One process for this room: to start one takes longer than what these do.
import './session/options.spec.js';
import './session/pair.spec.js';
import './session/receive-session.spec.js';
import './session/send-session.spec.js';
import './session/states.spec.js';
