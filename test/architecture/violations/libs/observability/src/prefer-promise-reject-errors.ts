export const refuse = () => Promise.reject('no');
