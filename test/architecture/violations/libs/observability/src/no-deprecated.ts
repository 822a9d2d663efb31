/** @deprecated Say `greet`. */
const hello = () => 'hello';

export const greet = () => hello();
