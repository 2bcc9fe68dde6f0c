// One process for this room: to start one takes longer than what these do.
import './sources/file-opener.spec.js';
import './sources/sources.spec.js';
