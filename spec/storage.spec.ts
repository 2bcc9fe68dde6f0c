// One process for this room: to start one takes longer than what these do.
import './storage/allocation.spec.js';
import './storage/directory-storage.spec.js';
import './storage/disk.spec.js';
import './storage/file-name.spec.js';
import './storage/storage.spec.js';
