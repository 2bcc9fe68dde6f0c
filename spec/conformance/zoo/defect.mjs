// A defect is a right class with some methods replaced. In a row of the tables, `what` says what is done wrong, `breaks`
// which clauses of docs/protocol.md that breaks (cases of these clauses are related to it), `cases` names the cases that
// are meant for it, and `related` further ones (ids or globs) that fail with good reason.

/** `Base` with `methods` in place of its own; `super` in them is `Base`. */
export function withMethods(Base, methods) {
  if (methods === undefined) return Base;
  class Defective extends Base {}
  Object.setPrototypeOf(methods, Base.prototype);
  Object.defineProperties(Defective.prototype, Object.getOwnPropertyDescriptors(methods));
  return Defective;
}
