export const PYTHON: string;
export const noPython: false | string;
