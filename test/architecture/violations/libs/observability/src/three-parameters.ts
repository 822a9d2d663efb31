export const address = (street: string, house: number, city: string, country: string) => [street, house, city, country].join(', ');
