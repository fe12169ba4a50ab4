import "reflect-metadata";
// The one place: tsyringe offers no other way to a container of one's own than through the global one.
// eslint-disable-next-line no-restricted-imports
import { container, type DependencyContainer } from "tsyringe";

/** A container of its own; nothing is ever registered in the global one. */
export function createChildContainer(): DependencyContainer {
  return container.createChildContainer();
}
