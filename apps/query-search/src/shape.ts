/**
 * What the documents of a read model look like, as a number. Whoever changes what is made of events raises it: a read model of an older shape is built anew by itself
 * (ADR 10), and answers as well as it can until then. Those from before there were numbers have 1.
 */
export const currentShape = 3;

/** From this shape on the keys of a ticket stand among the words of its search entry. */
export const shapeWithKeys = 2;

/** From this shape on the views of tickets that are not closed have keys of whose they are and in which status. */
export const shapeWithWork = 3;
