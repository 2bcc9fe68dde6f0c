// One process for this room: to start one takes longer than what these do.
import './wire/framer.spec.js';
import './wire/header.spec.js';
import './wire/reply.spec.js';
