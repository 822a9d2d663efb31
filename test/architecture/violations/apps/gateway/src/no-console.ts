export const sayHello = () => console.log('hello');
